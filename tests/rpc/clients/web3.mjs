// SPDX-License-Identifier: Apache-2.0
// web3.js 4: contracts, events, failures, signatures, subscriptions.
import assert from 'node:assert/strict';
import { Web3 } from 'web3';
import { answer, artifact, failure, keys, url, wsUrl } from '../lib.mjs';

const web3 = new Web3(url);
web3.eth.transactionPollingInterval = 50;
const [first, second] = await web3.eth.getAccounts();
answer('accounts', [first, second]);
answer('chain', await web3.eth.getChainId());
answer('network', await web3.eth.net.getId());
assert.match(await web3.eth.getNodeInfo(), /\w+\/\w+/);
answer('syncing', await web3.eth.isSyncing());

const { abi, bytecode } = artifact('Token');
const token = await new web3.eth.Contract(abi).deploy({ data: bytecode, arguments: ['Token', 'TKN', '1000000'] }).send({ from: first });
answer('deployed', token.options.address);
const sent = await token.methods.transfer(second, 1000).send({ from: first });
answer('transfer', { gasUsed: sent.gasUsed, status: sent.status, events: Object.keys(sent.events) });
answer('balance', await token.methods.balanceOf(second).call());
const events = await token.getPastEvents('Transfer', { fromBlock: 0 });
answer('events', events.map((e) => [e.returnValues.from, e.returnValues.to, e.returnValues.value]));
const error = await failure(token.methods.transfer(first, 10n ** 12n).call({ from: second }));
answer('error', error.cause?.errorName ?? error.message);

const prober = artifact('Prober');
const deployed = await new web3.eth.Contract(prober.abi).deploy({ data: prober.bytecode }).send({ from: first });
const text = await failure(deployed.methods.text().call());
answer('text', text.cause?.message ?? text.message);
answer('storage', await web3.eth.getStorageAt(deployed.options.address, 0));

const account = web3.eth.accounts.privateKeyToAccount(keys[1]);
web3.eth.accounts.wallet.add(account);
const receipt = await web3.eth.sendTransaction({ from: account.address, to: first, value: 7n, gas: 21000n });
answer('signed here', { status: receipt.status, gasUsed: receipt.gasUsed });
const signature = await web3.eth.sign('0xdeadbeef', first);
answer('signature', typeof signature === 'string' ? signature : signature.signature);
const history = await web3.eth.getFeeHistory(2, 'latest', [50]);
answer('history', history.gasUsedRatio.length);
const block = await web3.eth.getBlock('latest');
answer('block', { number: block.number, transactions: block.transactions.length });

const live = new Web3(wsUrl);
const heads = await live.eth.subscribe('newBlockHeaders');
const logs = await live.eth.subscribe('logs', { address: token.options.address });
const seen = { heads: 0, logs: 0 };
heads.on('data', () => seen.heads++);
logs.on('data', () => seen.logs++);
await token.methods.transfer(second, 1).send({ from: first });
await new Promise((resolve) => setTimeout(resolve, 500));
answer('subscriptions', seen);
await heads.unsubscribe();
await logs.unsubscribe();
live.currentProvider.disconnect();
process.exit(0);

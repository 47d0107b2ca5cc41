// SPDX-License-Identifier: Apache-2.0
// viem: public, wallet and test clients; contracts, multicalls in a batch, fees, filters, simulation, WebSocket.
import assert from 'node:assert/strict';
import {
    BaseError, ContractFunctionRevertedError, createPublicClient, createTestClient, createWalletClient, http, keccak256,
    parseEther, parseGwei, webSocket, zeroAddress,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { answer, artifact, failure, keys, url, wsUrl } from '../lib.mjs';

const transport = http(url, { batch: true, retryCount: 0 });
const client = createPublicClient({ chain: foundry, transport, pollingInterval: 50, cacheTime: 0 });
const test = createTestClient({ chain: foundry, mode: 'anvil', transport });
const [first, second, third] = keys.map((key) => privateKeyToAccount(key));
const wallet = createWalletClient({ account: first, chain: foundry, transport });
const local = createWalletClient({ account: second, chain: foundry, transport });

async function mined(label, hash) {
    const receipt = await client.waitForTransactionReceipt({ hash: await hash });
    answer(label, { status: receipt.status, gasUsed: receipt.gasUsed, type: receipt.type, logs: receipt.logs.length });
    return receipt;
}

answer('chain', await client.getChainId());
answer('balance', await client.getBalance({ address: third.address }));

const token = artifact('Token');
const receipt = await mined('deploy', wallet.deployContract({ ...token, args: ['Token', 'TKN', parseEther('5')] }));
const address = receipt.contractAddress;
answer('address', address);
await mined('write', wallet.writeContract({ address, abi: token.abi, functionName: 'transfer', args: [second.address, 123n] }));
answer('read', await client.readContract({ address, abi: token.abi, functionName: 'balanceOf', args: [second.address] }));
const { request, result } = await client.simulateContract({
    account: second, address, abi: token.abi, functionName: 'transfer', args: [third.address, 23n],
});
answer('simulated', result);
await mined('after simulation', local.writeContract(request));
const error = await failure(client.simulateContract({
    account: third, address, abi: token.abi, functionName: 'transfer', args: [second.address, 24n],
}));
assert.ok(error instanceof BaseError);
const reverted = error.walk((e) => e instanceof ContractFunctionRevertedError);
answer('reverted', { name: reverted.data.errorName, args: reverted.data.args });
const poor = await failure(local.sendTransaction({ to: zeroAddress, value: parseEther('100000') }));
answer('poor', poor.name);

// ---- Logs, filters
answer('logs', (await client.getContractEvents({ address, abi: token.abi, fromBlock: 0n })).map((l) => [l.eventName, l.args]));
const filter = await client.createContractEventFilter({ address, abi: token.abi, eventName: 'Transfer' });
const blocks = await client.createBlockFilter();
await mined('filtered write', wallet.writeContract({ address, abi: token.abi, functionName: 'transfer', args: [third.address, 1n] }));
answer('filter changes', (await client.getFilterChanges({ filter })).map((l) => l.args));
answer('block filter', (await client.getFilterChanges({ filter: blocks })).length);
answer('uninstalled', await client.uninstallFilter({ filter }));

// ---- Test client: state, time, mining, impersonation, snapshots
await test.setBalance({ address: zeroAddress, value: parseEther('3') });
answer('set balance', await client.getBalance({ address: zeroAddress }));
await test.setNonce({ address: third.address, nonce: 77 });
answer('set nonce', await client.getTransactionCount({ address: third.address }));
const box = artifact('Box');
const boxReceipt = await mined('box', wallet.deployContract({ ...box, args: [] }));
const code = await client.getCode({ address: boxReceipt.contractAddress });
const place = '0x00000000000000000000000000000000000b0b0b';
await test.setCode({ address: place, bytecode: code });
await test.setStorageAt({ address: place, index: 0, value: `0x${'00'.repeat(31)}2a` });
answer('set code and storage', await client.readContract({ address: place, abi: box.abi, functionName: 'value' }));
await test.impersonateAccount({ address: place });
await test.setBalance({ address: place, value: parseEther('1') });
await mined('impersonated', createWalletClient({ chain: foundry, transport }).sendTransaction({ account: place, to: third.address, value: 1n }));
await test.stopImpersonatingAccount({ address: place });
const id = await test.snapshot();
const before = await client.getBlockNumber();
await test.mine({ blocks: 10, interval: 12 });
answer('mined', (await client.getBlockNumber()) - before);
const head = await client.getBlock();
const previous = await client.getBlock({ blockNumber: head.number - 1n });
answer('interval', head.timestamp - previous.timestamp);
await test.revert({ id });
answer('reverted to', (await client.getBlockNumber()) - before);
await test.setAutomine(false);
const waiting = await wallet.sendTransaction({ to: second.address, value: 5n });
answer('pool', await test.getTxpoolStatus());
answer('pending nonce', (await client.getTransactionCount({ address: first.address, blockTag: 'pending' }))
    - (await client.getTransactionCount({ address: first.address })));
await test.mine({ blocks: 1 });
await test.setAutomine(true);
await mined('mined by hand', waiting);
await test.increaseTime({ seconds: 1000 });
await test.mine({ blocks: 1 });
const later = await client.getBlock();
await test.setNextBlockTimestamp({ timestamp: later.timestamp + 100n });
await test.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei('7') });
await test.mine({ blocks: 1 });
const set = await client.getBlock();
answer('time and fee', [set.timestamp - later.timestamp, set.baseFeePerGas]);

// ---- Fees, many calls in a batch, overrides
const fees = await client.estimateFeesPerGas();
assert.ok(fees.maxFeePerGas >= fees.maxPriorityFeePerGas);
const history = await client.getFeeHistory({ blockCount: 3, rewardPercentiles: [25, 75] });
answer('fee history', [history.baseFeePerGas.length, history.gasUsedRatio.length, history.reward.length]);
const values = await Promise.all(Array.from({ length: 50 }, () => client.readContract({ address, abi: token.abi, functionName: 'totalSupply' })));
answer('batch', new Set(values).size);
answer('override', (await client.call({
    to: place, data: '0x3fa4f245',
    stateOverride: [{ address: place, code, stateDiff: [{ slot: `0x${'00'.repeat(32)}`, value: `0x${'00'.repeat(31)}63` }] }],
})).data);
answer('code hash', keccak256(await client.getCode({ address })));

// ---- Over WebSocket
const live = createPublicClient({ chain: foundry, transport: webSocket(wsUrl, { retryCount: 0 }) });
const seen = [];
const stop = live.watchBlockNumber({ onBlockNumber: (number) => seen.push(number), emitOnBegin: false });
const stopEvents = live.watchContractEvent({ address, abi: token.abi, eventName: 'Transfer', onLogs: (logs) => seen.push(...logs.map((l) => l.args.value)) });
await live.getBlockNumber();
await new Promise((resolve) => setTimeout(resolve, 200));
await wallet.writeContract({ address, abi: token.abi, functionName: 'transfer', args: [third.address, 999n] });
await new Promise((resolve) => setTimeout(resolve, 500));
answer('watched', seen.length >= 2 && seen.includes(999n));
stop();
stopEvents();
await (await live.transport.getRpcClient()).close();
process.exit(0);

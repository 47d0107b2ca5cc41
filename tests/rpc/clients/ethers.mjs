// SPDX-License-Identifier: Apache-2.0
// ethers 6: OpenZeppelin's contracts, every type of transaction, failures, logs, signatures, batches.
import assert from 'node:assert/strict';
import { ethers } from 'ethers';
import { answer, artifact, failure, keys, mnemonic, rpc, url } from '../lib.mjs';

const provider = new ethers.JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
const signer = await provider.getSigner(0);
const other = new ethers.Wallet(keys[1], provider);
const wallet = ethers.HDNodeWallet.fromPhrase(mnemonic, '', "m/44'/60'/0'/0/2").connect(provider);

async function deploy(name, args, from = signer) {
    const { abi, bytecode } = artifact(name);
    const contract = await new ethers.ContractFactory(abi, bytecode, from).deploy(...args);
    await contract.waitForDeployment();
    return contract;
}

async function mined(label, sent) {
    const response = await sent;
    const receipt = await response.wait();
    answer(label, {
        type: receipt.type,
        status: receipt.status,
        gasUsed: receipt.gasUsed,
        logs: receipt.logs.length,
        from: receipt.from,
        to: receipt.to,
    });
    return receipt;
}

answer('network', (await provider.getNetwork()).chainId);
answer('accounts', await provider.send('eth_accounts', []));
answer('addresses', [await signer.getAddress(), other.address, wallet.address]);
answer('balance', await provider.getBalance(wallet.address));

// ---- OpenZeppelin's ERC-20
const token = await deploy('Token', ['Token', 'TKN', ethers.parseEther('1000000')]);
answer('token address', await token.getAddress());
answer('token code', ethers.keccak256(await provider.getCode(token)));
await mined('transfer', token.transfer(other.address, 1000n));
await mined('approve', token.connect(other).approve(wallet.address, 400n));
await mined('transferFrom', token.connect(wallet).transferFrom(other.address, wallet.address, 150n));
answer('balances', await Promise.all([other, wallet].map((w) => token.balanceOf(w.address))));
const events = await token.queryFilter(token.filters.Transfer());
answer('events', events.map((e) => ({ args: [...e.args], index: e.index, number: e.blockNumber })));
answer('filtered', (await token.queryFilter(token.filters.Transfer(null, wallet.address))).length);

// ---- What goes wrong, and how the client sees it
let error = await failure(token.connect(wallet).transfer(other.address, 10n ** 30n));
answer('estimate fails', { code: error.code, name: error.revert?.name, args: [...(error.revert?.args ?? [])] });
error = await failure(token.connect(wallet).mint(wallet.address, 1n));
answer('not the owner', { code: error.code, name: error.revert?.name, args: [...(error.revert?.args ?? [])] });
const prober = await deploy('Prober', []);
error = await failure(prober.text());
answer('revert with text', { code: error.code, reason: error.reason, data: error.data });
error = await failure(prober.panic(0));
answer('panic', { code: error.code, reason: error.reason, data: error.data });
error = await failure(prober.custom());
answer('custom error', { code: error.code, name: error.revert?.name, args: [...error.revert.args] });
error = await failure(prober.bare());
answer('bare revert', { code: error.code, data: error.data });
error = await failure(prober.invalid());
answer('invalid instruction', { code: error.code });
const failed = await (await prober.custom.populateTransaction().then((tx) => signer.sendTransaction({ ...tx, gasLimit: 100000 })));
error = await failure(failed.wait());
answer('mined failure', { code: error.code, status: error.receipt?.status, gasUsed: error.receipt?.gasUsed });
error = await failure(wallet.sendTransaction({ to: other.address, value: ethers.parseEther('20000') }));
answer('no funds', error.code);
error = await failure(wallet.sendTransaction({ to: other.address, nonce: 0 }));
answer('old nonce', error.code);

// ---- Every type of transaction
const fee = await provider.getFeeData();
assert.ok(fee.gasPrice > 0n && fee.maxFeePerGas > 0n);
const gasPrice = fee.gasPrice * 2n;
await mined('legacy', wallet.sendTransaction({ type: 0, to: other.address, value: 1n, gasPrice }));
await mined('access list', wallet.sendTransaction({
    type: 1, to: await prober.getAddress(), data: prober.interface.encodeFunctionData('bump'), gasPrice,
    accessList: [{ address: await prober.getAddress(), storageKeys: [ethers.ZeroHash] }],
}));
await mined('dynamic fee', wallet.sendTransaction({ type: 2, to: other.address, value: 1n }));
const authorization = await other.authorize({ address: await prober.getAddress() });
await mined('set code', wallet.sendTransaction({ type: 4, to: other.address, authorizationList: [authorization] }));
answer('delegated code', await provider.getCode(other.address));
await mined('delegated call', new ethers.Contract(other.address, prober.interface, wallet).bump());
answer('delegated storage', await provider.getStorage(other.address, 0));
const back = await other.authorize({ address: ethers.ZeroAddress });
await mined('delegation taken back', wallet.sendTransaction({ type: 4, to: other.address, authorizationList: [back] }));
answer('no code', await provider.getCode(other.address));

// ---- Reading
answer('counter', await prober.counter());
answer('static call', await prober.bump.staticCall());
const estimate = await prober.bump.estimateGas();
assert.ok(estimate >= 51000n && estimate < 53000n);
answer('old state', await prober.counter({ blockTag: await provider.getBlockNumber() - 4 }));
const block = await provider.getBlock('latest', true);
answer('block', { number: block.number, count: block.length, gasUsed: block.gasUsed, gasLimit: block.gasLimit });
answer('transaction', (({ to, nonce, type, chainId, index }) => ({ to, nonce, type, chainId, index }))(block.prefetchedTransactions[0]));
const proof = await rpc('eth_getProof', [await prober.getAddress(), [ethers.ZeroHash], 'latest']);
answer('proof', { nonce: proof.nonce, storage: proof.storageProof.map((p) => [p.key, p.value]), codeHash: proof.codeHash });
assert.ok(proof.accountProof.length > 0 && proof.storageProof[0].proof.length > 0);

// ---- Signatures
const message = 'a message';
answer('signed message', await signer.signMessage(message));
assert.equal(ethers.verifyMessage(message, await signer.signMessage(message)), await signer.getAddress());
const domain = { name: 'Token', version: '1', chainId: 31337, verifyingContract: await token.getAddress() };
const types = {
    Permit: [
        { name: 'owner', type: 'address' }, { name: 'spender', type: 'address' }, { name: 'value', type: 'uint256' },
        { name: 'nonce', type: 'uint256' }, { name: 'deadline', type: 'uint256' },
    ],
};
const permit = { owner: await signer.getAddress(), spender: wallet.address, value: 77n, nonce: 0n, deadline: 2n ** 255n };
const signature = ethers.Signature.from(await signer.signTypedData(domain, types, permit));
answer('typed data', signature.serialized);
await mined('permit', token.connect(wallet).permit(permit.owner, permit.spender, permit.value, permit.deadline,
    signature.v, signature.r, signature.s));
answer('allowance', await token.allowance(permit.owner, wallet.address));

// ---- Proxies, tokens of ERC-721, many requests at once
const box = await deploy('Box', []);
const proxy = await deploy('ERC1967Proxy', [await box.getAddress(), box.interface.encodeFunctionData('store', [5n])]);
answer('proxy', await box.attach(await proxy.getAddress()).value());
const collection = await deploy('Collection', []);
await mined('mint', collection.mint(wallet.address, 9n));
answer('owner', await collection.ownerOf(9n));
answer('batch', await Promise.all(Array.from({ length: 120 }, (_, i) => provider.getStorage(prober, i))).then((a) => a.length));

provider.destroy();

// SPDX-License-Identifier: Apache-2.0
// Contracts that hold most of the value: WETH, Uniswap v2 and v3, Safe, ERC-4337's EntryPoint, as their packages ship them.
import assert from 'node:assert/strict';
import { ethers } from 'ethers';
import { answer, artifact, failure, keys, url } from '../lib.mjs';

const provider = new ethers.JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
const owner = new ethers.NonceManager(new ethers.Wallet(keys[0], provider));
const me = await owner.getAddress();
const second = new ethers.Wallet(keys[1], provider);

async function deploy(name, ...args) {
    const { abi, bytecode } = artifact(name);
    const contract = await new ethers.ContractFactory(abi, bytecode, owner).deploy(...args);
    await contract.waitForDeployment();
    answer(`${name} size`, ethers.dataLength(await provider.getCode(contract)));
    return contract;
}
// Uniswap's oracles cost more in the first trade of a second: each transaction gets a time of its own.
async function mined(label, sent) {
    const receipt = await (await sent).wait();
    await provider.send('evm_increaseTime', [10]);
    answer(label, { status: receipt.status, gasUsed: receipt.gasUsed, logs: receipt.logs.length });
    return receipt;
}
const far = 2n ** 40n;
const ether = ethers.parseEther;

// ---- Uniswap v2
const weth = await deploy('canonical-weth/build/contracts/WETH9.json');
await mined('wrap', weth.deposit({ value: ether('100') }));
const a = await deploy('Token', 'A', 'A', ether('1000000'));
const b = await deploy('Token', 'B', 'B', ether('1000000'));
const factory = await deploy('@uniswap/v2-core/build/UniswapV2Factory.json', me);
const router = await deploy('@uniswap/v2-periphery/build/UniswapV2Router02.json', factory, weth);
for (const token of [a, b, weth]) {
    await mined('approve', token.approve(router, ethers.MaxUint256));
}
await mined('v2 pool', router.addLiquidity(a, b, ether('1000'), ether('2000'), 0, 0, me, far));
await mined('v2 pool with ether', router.addLiquidityETH(a, ether('500'), 0, 0, me, far, { value: ether('50') }));
await mined('v2 swap', router.swapExactTokensForTokens(ether('10'), 0, [a, b], me, far));
await mined('v2 two hops', router.swapExactETHForTokens(0, [weth, a, b], me, far, { value: ether('1') }));
const pair = new ethers.Contract(await factory.getPair(a, b), artifact('@uniswap/v2-core/build/UniswapV2Pair.json').abi, owner);
answer('v2 reserves', [...(await pair.getReserves())].slice(0, 2));
await mined('v2 approve', pair.approve(router, ethers.MaxUint256));
await mined('v2 out', router.removeLiquidity(a, b, ether('10'), 0, 0, me, far));
const late = await failure(router.swapExactTokensForTokens.staticCall(1, 0, [a, b], me, 1));
answer('v2 too late', late.reason);

// ---- Uniswap v3
const v3 = (name) => `@uniswap/v3-periphery/artifacts/contracts/${name}.sol/${name.split('/').pop()}.json`;
const v3factory = await deploy('@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json');
const swapRouter = await deploy(v3('SwapRouter'), v3factory, weth);
const manager = await deploy(v3('NonfungiblePositionManager'), v3factory, weth, ethers.ZeroAddress);
const [token0, token1] = (await a.getAddress()).toLowerCase() < (await b.getAddress()).toLowerCase() ? [a, b] : [b, a];
for (const [token, spender] of [[a, manager], [b, manager], [a, swapRouter], [b, swapRouter]]) {
    await mined('approve', token.approve(spender, ethers.MaxUint256));
}
await mined('v3 pool', manager.createAndInitializePoolIfNecessary(token0, token1, 3000, 2n ** 96n));
await mined('v3 mint', manager.mint({
    token0, token1, fee: 3000, tickLower: -6000, tickUpper: 6000, amount0Desired: ether('1000'),
    amount1Desired: ether('1000'), amount0Min: 0, amount1Min: 0, recipient: me, deadline: far,
}));
await mined('v3 swap', swapRouter.exactInputSingle({
    tokenIn: a, tokenOut: b, fee: 3000, recipient: me, deadline: far, amountIn: ether('5'), amountOutMinimum: 0,
    sqrtPriceLimitX96: 0,
}));
const pool = new ethers.Contract(await v3factory.getPool(a, b, 3000),
    artifact('@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json').abi, provider);
answer('v3 slot0', [...(await pool.slot0())]);
await mined('v3 collect', manager.collect({ tokenId: 1, recipient: me, amount0Max: 2n ** 127n, amount1Max: 2n ** 127n }));

// ---- Safe: two owners, one transaction that both sign
const safeFile = (name) => `@safe-global/safe-smart-account/build/artifacts/contracts/${name}.sol/${name.split('/').pop()}.json`;
const singleton = await deploy(safeFile('Safe'));
const proxies = await deploy(safeFile('proxies/SafeProxyFactory'));
const handler = await deploy(safeFile('handler/CompatibilityFallbackHandler'));
const setup = singleton.interface.encodeFunctionData('setup', [
    [me, second.address], 2, ethers.ZeroAddress, '0x', handler.target, ethers.ZeroAddress, 0, ethers.ZeroAddress,
]);
const created = await mined('safe', proxies.createProxyWithNonce(singleton, setup, 1));
const made = created.logs.map((log) => proxies.interface.parseLog(log)).find((log) => log?.name === 'ProxyCreation');
const safe = new ethers.Contract(made.args.proxy, singleton.interface, owner);
answer('safe address', safe.target);
await mined('safe funds', owner.sendTransaction({ to: safe, value: ether('2') }));
const order = [second.address, ether('1.5'), '0x', 0, 0, 0, 0, ethers.ZeroAddress, ethers.ZeroAddress];
const hash = await safe.getTransactionHash(...order, await safe.nonce());
answer('safe hash', hash);
const signers = [new ethers.Wallet(keys[0]), second].sort((x, y) => (x.address.toLowerCase() < y.address.toLowerCase() ? -1 : 1));
const signatures = ethers.concat(signers.map((s) => s.signingKey.sign(hash).serialized));
await mined('safe executes', safe.execTransaction(...order, signatures));
answer('safe balance', await provider.getBalance(safe));
const alone = await failure(safe.execTransaction.staticCall(...order, ethers.dataSlice(signatures, 0, 65)));
answer('safe refuses', alone.reason);

// ---- ERC-4337
const entry = await deploy('@account-abstraction/contracts/artifacts/EntryPoint.json');
const accounts = await deploy('@account-abstraction/contracts/artifacts/SimpleAccountFactory.json', entry);
const simple = artifact('@account-abstraction/contracts/artifacts/SimpleAccount.json');
const creator = await accounts.senderCreator();
answer('sender creator', creator);
const sender = await accounts.getFunction('getAddress').staticCall(second.address, 7);
await mined('account funds', owner.sendTransaction({ to: sender, value: ether('3') }));
await mined('deposit', entry.depositTo(sender, { value: ether('1') }));
const account = new ethers.Contract(sender, simple.abi, provider);
const pack = (high, low) => ethers.concat([ethers.toBeHex(high, 16), ethers.toBeHex(low, 16)]);
const operation = {
    sender,
    nonce: 0n,
    initCode: ethers.concat([accounts.target, accounts.interface.encodeFunctionData('createAccount', [second.address, 7])]),
    callData: account.interface.encodeFunctionData('execute', [me, ether('0.5'), '0x']),
    accountGasLimits: pack(500000n, 200000n),
    preVerificationGas: 60000n,
    gasFees: pack(1n, ethers.parseUnits('10', 'gwei')),
    paymasterAndData: '0x',
    signature: '0x',
};
const operationHash = await entry.getUserOpHash(operation);
operation.signature = second.signingKey.sign(operationHash).serialized;
const handled = await mined('user operation', entry.handleOps([operation], me, { gasLimit: 3000000n }));
const event = handled.logs.map((log) => entry.interface.parseLog(log)).find((log) => log?.name === 'UserOperationEvent');
assert.equal(event.args.success, true);
answer('user operation event', [event.args.nonce, event.args.success]);
answer('account balance', await provider.getBalance(sender));
provider.destroy();

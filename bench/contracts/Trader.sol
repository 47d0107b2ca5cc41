// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

interface Pool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function mint(address recipient, int24 lower, int24 upper, uint128 amount, bytes calldata data) external;
    function swap(address recipient, bool zeroForOne, int256 amount, uint160 limit, bytes calldata data) external;
}

interface Payer {
    function transfer(address to, uint256 amount) external returns (bool);
}

/// Gives liquidity to Uniswap v3 pools and swaps in them with tokens of its own.
contract Trader {
    function mint(Pool pool, int24 lower, int24 upper, uint128 amount) external {
        pool.mint(address(this), lower, upper, amount, "");
    }

    function swap(Pool pool, bool zeroForOne, int256 amount, uint160 limit) external {
        pool.swap(address(this), zeroForOne, amount, limit, "");
    }

    function uniswapV3MintCallback(uint256 owed0, uint256 owed1, bytes calldata) external {
        pay(int256(owed0), int256(owed1));
    }

    function uniswapV3SwapCallback(int256 delta0, int256 delta1, bytes calldata) external {
        pay(delta0, delta1);
    }

    function pay(int256 owed0, int256 owed1) private {
        if (owed0 > 0) Payer(Pool(msg.sender).token0()).transfer(msg.sender, uint256(owed0));
        if (owed1 > 0) Payer(Pool(msg.sender).token1()).transfer(msg.sender, uint256(owed1));
    }
}

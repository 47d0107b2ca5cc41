// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

contract Counter {
    event Counted(address indexed who, uint256 value);

    error TooMuch(uint256 value);

    uint256 public value;

    constructor(uint256 start) payable {
        value = start;
    }

    function add(uint256 n) external returns (uint256) {
        if (n > 100) {
            revert TooMuch(n);
        }
        value += n;
        emit Counted(msg.sender, value);
        return value;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import "../src/Counter.sol";

interface Vm {
    function startBroadcast(uint256 key) external;
    function stopBroadcast() external;
}

/// Deploys two contracts, one by CREATE2 through the deterministic deployment proxy, and calls them.
contract Deploy {
    Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    bool public constant IS_SCRIPT = true;

    function run() external {
        vm.startBroadcast(0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d);
        Counter counter = new Counter(5);
        counter.add(7);
        Counter fixedPlace = new Counter{salt: bytes32(uint256(1)), value: 1 wei}(10);
        fixedPlace.add(1);
        vm.stopBroadcast();
    }
}

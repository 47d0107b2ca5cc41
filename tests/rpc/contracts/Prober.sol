// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// Every way to end, and what surrounds a call.
contract Prober {
    error Refused(address who, uint256 code);

    event Seen(address indexed who, uint256 indexed number, string text);

    uint256 public counter;
    mapping(uint256 => uint256) public table;

    receive() external payable {}

    function text() external pure {
        require(false, "no entry");
    }

    function panic(uint256 divisor) external pure returns (uint256) {
        return 1 / divisor;
    }

    function custom() external view {
        revert Refused(msg.sender, 42);
    }

    function bare() external pure {
        assembly {
            revert(0, 0)
        }
    }

    function invalid() external pure {
        assembly {
            invalid()
        }
    }

    function forever() external pure {
        while (true) {}
    }

    function steps(uint256 n) external pure returns (uint256 sum) {
        for (uint256 i = 0; i < n; ++i) {
            sum += i;
        }
    }

    function bump() external returns (uint256) {
        counter += 1;
        table[counter] = block.number;
        emit Seen(msg.sender, counter, "bump");
        return counter;
    }

    function around()
        external
        view
        returns (uint256 number, uint256 time, uint256 chain, uint256 fee, address coinbase, uint256 limit)
    {
        return (block.number, block.timestamp, block.chainid, block.basefee, block.coinbase, block.gaslimit);
    }

    function hashOf(uint256 number) external view returns (bytes32) {
        return blockhash(number);
    }

    function nested(uint256 depth) external returns (uint256) {
        if (depth == 0) {
            revert Refused(msg.sender, 7);
        }
        try this.nested(depth - 1) returns (uint256 v) {
            return v;
        } catch {
            counter += depth;
            return counter;
        }
    }

    /// What console.sol does: a static call to an address without code.
    function say(string calldata what, uint256 number) external view {
        address console = 0x000000000000000000636F6e736F6c652e6c6f67;
        (bool ok, ) = console.staticcall(abi.encodeWithSignature("log(string,uint256)", what, number));
        require(ok);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// An ERC-20 token as most are: OpenZeppelin's contract with a name, a symbol and a first holder.
contract Token is ERC20 {
    constructor() ERC20("Example Token", "EXT") {
        _mint(msg.sender, 1000 * 10 ** decimals());
    }
}

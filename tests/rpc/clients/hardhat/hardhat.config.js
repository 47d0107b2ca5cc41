// SPDX-License-Identifier: Apache-2.0
import hardhatEthers from '@nomicfoundation/hardhat-ethers';
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers';

export default {
    plugins: [hardhatEthers, hardhatNetworkHelpers],
    networks: {
        target: { type: 'http', chainType: 'l1', url: process.env.RPC_URL ?? 'http://127.0.0.1:8545', accounts: 'remote' },
    },
};

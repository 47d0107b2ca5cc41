// SPDX-License-Identifier: Apache-2.0
// usage: node compile.js     Compiles the contracts of this folder; {name: creation code} as JSON on stdout.
const fs = require('fs');
const path = require('path');
const solc = require('solc');

const sources = {};
for (const name of ['Token.sol', 'Trader.sol']) {
    sources[name] = { content: fs.readFileSync(path.join(__dirname, name), 'utf8') };
}
const input = {
    language: 'Solidity',
    sources,
    settings: { optimizer: { enabled: true, runs: 200 }, outputSelection: { '*': { '*': ['evm.bytecode.object'] } } },
};
const read = (file) => ({ contents: fs.readFileSync(require.resolve(file), 'utf8') });
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
const errors = (output.errors || []).filter((e) => e.severity === 'error');
if (errors.length > 0) {
    console.error(errors.map((e) => e.formattedMessage).join('\n'));
    process.exit(1);
}
const code = {};
for (const name of ['Token', 'Trader']) {
    code[name] = output.contracts[`${name}.sol`][name].evm.bytecode.object;
}
console.log(JSON.stringify(code));

// SPDX-License-Identifier: Apache-2.0
// usage: node compile.mjs     Compiles contracts/ with solc from npm: compiled/<Name>.json
// has {abi, bytecode}. Nothing is done when all is newer than the sources.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const here = path.dirname(new URL(import.meta.url).pathname);
const out = path.join(here, 'compiled');
const files = fs.readdirSync(path.join(here, 'contracts')).filter((f) => f.endsWith('.sol'));
const newest = Math.max(...files.map((f) => fs.statSync(path.join(here, 'contracts', f)).mtimeMs));
const stamp = path.join(out, '.stamp');
if (fs.existsSync(stamp) && fs.statSync(stamp).mtimeMs > newest) {
    process.exit(0);
}

const solc = require('solc');
const input = {
    language: 'Solidity',
    sources: Object.fromEntries(
        files.map((f) => [f, { content: fs.readFileSync(path.join(here, 'contracts', f), 'utf8') }]),
    ),
    settings: {
        optimizer: { enabled: true, runs: 200 },
        evmVersion: 'cancun',
        outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
};
const read = (file) => ({ contents: fs.readFileSync(require.resolve(file), 'utf8') });
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
const errors = (output.errors ?? []).filter((e) => e.severity === 'error');
if (errors.length > 0) {
    console.error(errors.map((e) => e.formattedMessage).join('\n'));
    process.exit(1);
}
fs.mkdirSync(out, { recursive: true });
for (const contracts of Object.values(output.contracts)) {
    for (const [name, contract] of Object.entries(contracts)) {
        const bytecode = `0x${contract.evm.bytecode.object}`;
        fs.writeFileSync(path.join(out, `${name}.json`), JSON.stringify({ abi: contract.abi, bytecode }));
    }
}
fs.writeFileSync(stamp, '');

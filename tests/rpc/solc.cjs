#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// npm's solc behind the command line of the native one, as far as forge uses it: --version and --standard-json.
const fs = require('fs');
const solc = require('solc');

if (process.argv.includes('--version')) {
    console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
    process.stdout.write(solc.compile(fs.readFileSync(0, 'utf8')));
}

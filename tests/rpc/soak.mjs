#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// usage: node soak.mjs [--rounds 10000] [--each 10] [--subscribers 200] COMMAND...
//
// A test suite that runs for days, in minutes: `rounds` times a snapshot, `each` transactions, and a revert, with subscribers
// of new heads beside. Memory after a tenth of the rounds is the mark: at the end it must not be a tenth higher. Reports in TAP.
// The node's COMMAND is run with `--port P` behind it; by default build/cevm node --quiet.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const args = process.argv.slice(2);
const option = (name, fallback) => {
    const i = args.indexOf(name);
    return i < 0 ? fallback : Number(args.splice(i, 2)[1]);
};
const rounds = option('--rounds', 10000);
const each = option('--each', 10);
const subscribers = option('--subscribers', 200);
const command = args.length > 0 ? args : [path.resolve(root, process.env.BUILD ?? 'build', 'cevm'), 'node', '--quiet'];

const port = await new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
        const { port: free } = server.address();
        server.close(() => resolve(free));
    });
});
const child = spawn(command[0], [...command.slice(1), '--port', String(port)], { stdio: 'inherit' });
const url = `http://127.0.0.1:${port}`;
async function send(body) {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return response.json();
}
const request = (method, params = []) => ({ jsonrpc: '2.0', id: 1, method, params });
async function rpc(method, params) {
    const reply = await send(request(method, params));
    if (reply.error !== undefined) {
        throw new Error(`${method}: ${reply.error.message}`);
    }
    return reply.result;
}
for (let i = 0; ; ++i) {
    try {
        await rpc('eth_chainId');
        break;
    } catch (error) {
        if (i > 200) {
            throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
}

const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;
let heads = 0;
let closed = 0;
const sockets = [];
for (let i = 0; i < subscribers && typeof WebSocket !== 'undefined'; ++i) {
    sockets.push(await new Promise((resolve, reject) => {
        const socket = new WebSocket(url.replace('http', 'ws'));
        socket.onopen = () => {
            socket.send(JSON.stringify(request('eth_subscribe', ['newHeads'])));
            resolve(socket);
        };
        socket.onerror = () => reject(new Error(`subscriber ${i} is refused`));
        socket.onclose = () => { ++closed; };
        socket.onmessage = (message) => { heads += message.data.includes('eth_subscription') ? 1 : 0; };
    }));
}

const [from, to] = await rpc('eth_accounts');
const start = await rpc('eth_getBalance', [from, 'latest']);
const began = Date.now();
let mark = 0;
for (let i = 0; i < rounds; ++i) {
    const id = await rpc('evm_snapshot');
    const replies = await send(Array.from({ length: each }, () =>
        request('eth_sendTransaction', [{ from, to, value: '0x1', gas: '0x5208' }])));
    const refused = replies.find((reply) => reply.error !== undefined);
    if (refused !== undefined) {
        throw new Error(`round ${i}: ${refused.error.message}`);
    }
    if (!(await rpc('evm_revert', [id]))) {
        throw new Error(`round ${i}: the snapshot is gone`);
    }
    if (i === Math.floor(rounds / 10)) {
        mark = memory();
    }
    if (i % Math.ceil(rounds / 10) === 0) {
        console.log(`# ${i} rounds, ${i * each} transactions, ${memory().toFixed(1)} MiB, ${((Date.now() - began) / 1000).toFixed(0)} s`);
    }
}
const end = memory();
console.log(`# ${rounds} rounds, ${rounds * each} transactions, ${end.toFixed(1)} MiB, ${heads} heads sent to ${sockets.length} subscribers`);
let count = 0;
let failed = 0;
function check(name, good) {
    ++count;
    failed += good ? 0 : 1;
    console.log(`${good ? 'ok' : 'not ok'} ${count} - ${name}`);
}
check('memory is flat', end <= mark * 1.1 + 1);
check('nothing is left of what was reverted', (await rpc('eth_getBalance', [from, 'latest'])) === start && (await rpc('eth_blockNumber')) === '0x0');
check('every subscriber stays', closed === 0);
check('every subscriber sees every block', heads === sockets.length * rounds * each);
for (const socket of sockets) {
    socket.onclose = null;
    socket.close();
}
child.kill('SIGTERM');
check('it stops when it is told to', (await new Promise((resolve) => child.once('exit', resolve))) === 0);
console.log(`1..${count}`);
process.exit(failed === 0 ? 0 : 1);

#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// usage: node bench/node/node.mjs [--json FILE] [--rounds N] NAME=COMMAND...
//
// Development nodes side by side, in turns: what a contract developer waits for. COMMAND is run with `--port P` behind it.
// Times are of one client on one kept-open connection; a figure is the median of its repetitions, then the best round.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';

const args = process.argv.slice(2);
const option = (name, fallback) => {
    const i = args.indexOf(name);
    return i < 0 ? fallback : args.splice(i, 2)[1];
};
const jsonFile = option('--json', null);
const rounds = Number(option('--rounds', '3'));
const nodes = args.map((a) => [a.slice(0, a.indexOf('=')), a.slice(a.indexOf('=') + 1).split(' ')]);
if (nodes.length === 0 || nodes.some(([name]) => name === '')) {
    console.error('usage: node node.mjs [--json FILE] [--rounds N] NAME=COMMAND...\n' +
        "example: node node.mjs cevm='build/cevm node --quiet' anvil='anvil --silent'");
    process.exit(2);
}

const now = () => Number(process.hrtime.bigint()) / 1e6;
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** HTTP over one socket, without the cost of a client library. */
class Connection {
    constructor(port) {
        this.socket = net.connect(port, '127.0.0.1');
        this.socket.setNoDelay(true);
        this.chunks = [];
        this.size = 0;
        this.socket.on('data', (data) => this.receive(data));
        this.socket.on('error', (error) => this.fail?.(error));
        this.socket.on('close', () => this.fail?.(new Error('the node closed the connection')));
    }

    receive(data) {
        this.total += data.length;
        if (this.discard) {
            this.tail = Buffer.concat([this.tail, data]).subarray(-64);
            if (this.tail.toString('latin1').endsWith('0\r\n\r\n')) {
                this.done('');
            }
            return;
        }
        this.text += data.toString('latin1');
        const head = this.text.indexOf('\r\n\r\n');
        if (head < 0) {
            return;
        }
        const length = /content-length: *(\d+)/i.exec(this.text.slice(0, head));
        const body = this.text.slice(head + 4);
        if (length !== null ? body.length >= Number(length[1]) : body.endsWith('0\r\n\r\n')) {
            this.done(body);
        } else if (length === null && body.length > 1 << 20) {
            this.discard = true;
            this.tail = Buffer.from(body.slice(-64), 'latin1');
        }
    }

    raw(body) {
        this.text = '';
        this.total = 0;
        this.discard = false;
        return new Promise((resolve, reject) => {
            this.done = resolve;
            this.fail = reject;
            this.socket.write(`POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
                `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        });
    }

    async rpc(method, ...params) {
        const body = await this.raw(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
        if (body === '') {
            return null;
        }
        const start = body.indexOf('{');
        const reply = JSON.parse(/^[0-9a-f]+\r\n/i.test(body) ? unchunk(body) : body.slice(start));
        if (reply.error !== undefined) {
            throw new Error(`${method}: ${reply.error.message}`);
        }
        return reply.result;
    }
}

function unchunk(body) {
    let text = '';
    for (let at = 0;;) {
        const end = body.indexOf('\r\n', at);
        const size = parseInt(body.slice(at, end), 16);
        if (!(size > 0)) {
            return text;
        }
        text += body.slice(end + 2, end + 2 + size);
        at = end + 4 + size;
    }
}

function freePort() {
    return new Promise((resolve) => {
        const server = net.createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/** Resident memory of a process and all below it, MiB: some nodes are a launcher and a worker. */
function memory(pid) {
    const table = execFileSync('ps', ['-eo', 'pid=,ppid=,rss='], { encoding: 'utf8' });
    const rows = table.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    const family = new Set([pid]);
    for (let grown = true; grown;) {
        grown = false;
        for (const [child, parent] of rows) {
            if (family.has(parent) && !family.has(child)) {
                family.add(child);
                grown = true;
            }
        }
    }
    return rows.filter(([p]) => family.has(p)).reduce((sum, [, , rss]) => sum + rss, 0) / 1024;
}

async function start(command) {
    const port = await freePort();
    const began = now();
    const child = spawn(command[0], [...command.slice(1), '--port', String(port)], { stdio: 'ignore', detached: true });
    for (;;) {
        try {
            const connection = new Connection(port);
            await connection.rpc('eth_chainId');
            return { connection, child, ms: now() - began };
        } catch {
            if (now() - began > 30000 || child.exitCode !== null) {
                throw new Error(`${command.join(' ')} does not answer`);
            }
            await new Promise((resolve) => setTimeout(resolve, 1));
        }
    }
}

function stop(node) {
    node.connection.fail = undefined;
    node.connection.socket.destroy();
    const ended = new Promise((resolve) => node.child.once('exit', resolve));
    try {
        process.kill(-node.child.pid, 'SIGKILL');
    } catch {
        return undefined;
    }
    return ended;
}

async function timed(count, action) {
    const list = [];
    for (let i = 0; i < count; ++i) {
        const began = now();
        await action(i);
        list.push(now() - began);
    }
    return median(list);
}

// A loop of 1,000,000 steps: PUSH3 n, then JUMPDEST PUSH1 1 SWAP1 SUB DUP1 PUSH1 4 JUMPI, seven a turn.
const turns = 142857;
const loop = `0x62${turns.toString(16).padStart(6, '0')}5b600190038060045700`;
const place = '0x00000000000000000000000000000000000c0de0';

async function measure(command) {
    const row = {};
    let node = await start(command);
    row['start to first reply, ms'] = node.ms;
    await new Promise((resolve) => setTimeout(resolve, 300));
    row['idle memory, MiB'] = memory(node.child.pid);
    const c = node.connection;
    const [from, to] = await c.rpc('eth_accounts');
    row['eth_blockNumber, ms'] = await timed(2000, () => c.rpc('eth_blockNumber'));
    let missing = 0;
    row['eth_sendTransaction, mined, ms'] = await timed(300, async () => {
        const hash = await c.rpc('eth_sendTransaction', { from, to, value: '0x1', gas: '0x5208' });
        missing += (await c.rpc('eth_getTransactionReceipt', hash)) === null ? 1 : 0;
    });
    row['receipts missing on return, of 300'] = missing;
    for (let i = 1; i <= 3; ++i) {
        row[`mine 1,000 empty blocks, time ${i}, ms`] = await timed(1, () => c.rpc('hardhat_mine', '0x3e8'));
    }
    await c.rpc('eth_getBlockByNumber', 'latest', false);
    row['… and read the newest, ms'] = await timed(3, async () => { // a node may answer before they are there
        await c.rpc('hardhat_mine', '0x3e8');
        await c.rpc('eth_getBlockByNumber', 'latest', false);
    });
    await stop(node);

    node = await start(command);
    const d = node.connection;
    for (let i = 0; i < 20000; i += 500) {
        const batch = Array.from({ length: 500 }, (_, j) => ({
            jsonrpc: '2.0', id: j, method: 'hardhat_setBalance', params: [`0x${(i + j + 4096).toString(16).padStart(40, '0')}`, '0x1'],
        }));
        await d.raw(JSON.stringify(batch));
    }
    row['evm_snapshot with 20,000 accounts, ms'] = await timed(50, () => d.rpc('evm_snapshot'));
    await stop(node);

    node = await start(command);
    const e = node.connection;
    await e.rpc('hardhat_setCode', place, loop);
    const [sender] = await e.rpc('eth_accounts');
    const hash = await e.rpc('eth_sendTransaction', { from: sender, to: place, gas: '0xf42400' });
    while ((await e.rpc('eth_getTransactionReceipt', hash)) === null) {
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const before = memory(node.child.pid);
    let peak = before;
    const watch = setInterval(() => { peak = Math.max(peak, memory(node.child.pid)); }, 200);
    row['struct log of 1 M steps, ms'] = await timed(1, () => e.rpc('debug_traceTransaction', hash, {}));
    clearInterval(watch);
    row['… its answer, MiB'] = e.total / 1048576;
    row['… its memory, MiB'] = peak - before;
    await stop(node);
    return row;
}

const results = new Map(nodes.map(([name]) => [name, []]));
for (let round = 0; round < rounds; ++round) {
    for (const [name, command] of nodes) {
        process.stderr.write(`round ${round + 1} of ${rounds}: ${name}\n`);
        results.get(name).push(await measure(command).catch((error) => ({ error: error.message })));
    }
}
const best = {};
for (const [name, rows] of results) {
    best[name] = {};
    for (const key of new Set(rows.flatMap((row) => Object.keys(row)))) {
        const values = rows.map((row) => row[key]).filter((v) => v !== undefined);
        best[name][key] = key === 'error' ? values[0] : Math.min(...values);
    }
}
const labels = [...new Set(Object.values(best).flatMap((row) => Object.keys(row)))];
const show = (v) => (typeof v === 'number' ? (v < 1 ? v.toFixed(3) : v < 100 ? v.toFixed(2) : v.toFixed(0)) : String(v ?? '–'));
console.log(`| | ${nodes.map(([name]) => name).join(' | ')} |\n| --- |${' ---: |'.repeat(nodes.length)}`);
for (const label of labels) {
    console.log(`| ${label} | ${nodes.map(([name]) => show(best[name][label])).join(' | ')} |`);
}
if (jsonFile !== null) {
    fs.writeFileSync(jsonFile, `${JSON.stringify({ rounds, best, all: Object.fromEntries(results) }, null, 2)}\n`);
}
process.exit(0);

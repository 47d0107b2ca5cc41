// SPDX-License-Identifier: Apache-2.0
// What the client programs share. A program talks to the node at RPC_URL, asserts what must be so on any node, and prints
// its answers, one JSON line each: the same program run on another node must print the same.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const here = path.dirname(new URL(import.meta.url).pathname);

export const url = process.env.RPC_URL ?? 'http://127.0.0.1:8545';
export const wsUrl = url.replace(/^http/, 'ws');

/** Keys of the first accounts of the usual development mnemonic; every node of this kind has them. */
export const mnemonic = 'test test test test test test test test test test test junk';
export const keys = [
    '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
    '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
    '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
];

function plain(value) {
    if (typeof value === 'bigint') {
        return value.toString();
    }
    if (Array.isArray(value)) {
        return value.map(plain);
    }
    if (value !== null && typeof value === 'object') {
        return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
    }
    return value;
}

/** Prints an answer that every node must give. */
export function answer(label, value) {
    console.log(JSON.stringify([label, plain(value ?? null)]));
}

let id = 0;
/** A request without any client; throws the error object of the response. */
export async function rpc(method, params = []) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params });
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const reply = await response.json();
    if (reply.error !== undefined) {
        throw Object.assign(new Error(reply.error.message), reply.error);
    }
    return reply.result;
}

/** The error a promise ends with; fails when it does not. */
export async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('it should have failed');
}

/** {abi, bytecode}: of contracts/ when `name` is a word, of an npm package when it is a path. */
export function artifact(name) {
    const file = name.includes('/') ? require.resolve(name) : path.join(here, 'compiled', `${name}.json`);
    const json = JSON.parse(fs.readFileSync(file, 'utf8'));
    const code = json.bytecode?.object ?? json.bytecode;
    return { abi: json.abi, bytecode: code.startsWith('0x') ? code : `0x${code}` };
}

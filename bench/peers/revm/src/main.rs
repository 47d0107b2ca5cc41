// SPDX-License-Identifier: Apache-2.0
//! revm as a peer of the harness: whole transactions, each from a database in memory whose changes are dropped.
//! The protocol is in bench/peers/README.md.
use std::io::{self, Write};

use revm::{
    context::{result::ExecutionResult, BlockEnv, CfgEnv, TxEnv},
    database::{CacheDB, EmptyDB},
    primitives::{hardfork::SpecId, keccak256, Address, Bytes, Log, TxKind, B256, U256},
    state::{AccountInfo, Bytecode},
    Context, ExecuteEvm, MainBuilder, MainContext,
};
use serde_json::Value;

type Db = CacheDB<EmptyDB>;
type Result<T> = std::result::Result<T, String>;

/// A program that was loaded.
struct Program {
    db: Db,
    block: BlockEnv,
    cfg: CfgEnv,
    tx: TxEnv,
}

fn number(value: &Value) -> Result<U256> {
    let text = value.as_str().ok_or("a number is missing")?;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let radix = if digits.len() == text.len() { 10 } else { 16 };
    if digits.is_empty() {
        return Ok(U256::ZERO);
    }
    U256::from_str_radix(digits, radix).map_err(|e| format!("{text}: {e}"))
}

fn small(value: &Value) -> Result<u64> {
    u64::try_from(number(value)?).map_err(|e| e.to_string())
}

/// A member that may be missing.
fn or_zero(object: &Value, key: &str) -> Result<U256> {
    object.get(key).map_or(Ok(U256::ZERO), number)
}

fn bytes(value: &Value) -> Result<Bytes> {
    value.as_str().ok_or("bytes are missing")?.parse().map_err(|e| format!("bytes: {e}"))
}

fn address(value: &Value) -> Result<Address> {
    value.as_str().ok_or("an address is missing")?.parse().map_err(|e| format!("address: {e}"))
}

fn spec(name: &str) -> Result<SpecId> {
    Ok(match name {
        "Istanbul" => SpecId::ISTANBUL,
        "Berlin" => SpecId::BERLIN,
        "London" => SpecId::LONDON,
        "Paris" | "Merge" => SpecId::MERGE,
        "Shanghai" => SpecId::SHANGHAI,
        "Cancun" => SpecId::CANCUN,
        "Prague" => SpecId::PRAGUE,
        "Osaka" => SpecId::OSAKA,
        _ => return Err(format!("no fork is called {name}")),
    })
}

fn state(pre: &Value) -> Result<Db> {
    let mut db = Db::new(EmptyDB::default());
    for (key, account) in pre.as_object().ok_or("pre is missing")? {
        let at: Address = key.parse().map_err(|e| format!("{key}: {e}"))?;
        let code = bytes(&account["code"])?;
        let info = AccountInfo {
            balance: number(&account["balance"])?,
            nonce: small(&account["nonce"])?,
            code_hash: keccak256(&code),
            code: Some(Bytecode::new_raw(code)),
            ..Default::default()
        };
        db.insert_account_info(at, info);
        for (slot, value) in account["storage"].as_object().into_iter().flatten() {
            let slot = number(&Value::String(slot.clone()))?;
            db.insert_account_storage(at, slot, number(value)?).map_err(|e| e.to_string())?;
        }
    }
    Ok(db)
}

fn block(env: &Value, spec: SpecId) -> Result<BlockEnv> {
    let merged = spec.is_enabled_in(SpecId::MERGE);
    let mut out = BlockEnv {
        number: number(&env["currentNumber"])?,
        beneficiary: address(&env["currentCoinbase"])?,
        timestamp: number(&env["currentTimestamp"])?,
        gas_limit: small(&env["currentGasLimit"])?,
        basefee: env.get("currentBaseFee").map_or(Ok(10), small)?,
        difficulty: or_zero(env, "currentDifficulty")?,
        prevrandao: merged.then_some(B256::from(or_zero(env, "currentRandom")?)),
        ..Default::default()
    };
    if spec.is_enabled_in(SpecId::CANCUN) {
        let excess = env.get("currentExcessBlobGas").map_or(Ok(0), small)?;
        // EIP-7691 changes the fraction; no workload pays for blobs.
        out.set_blob_excess_gas_and_price(excess, if spec.is_enabled_in(SpecId::PRAGUE) { 5007716 } else { 3338477 });
    }
    Ok(out)
}

/// load FILE TEST FORK DATA GAS VALUE GASLIMIT
fn load(fields: &[&str]) -> Result<Program> {
    let [file, test, fork, data, _gas, value, gas_limit] = fields else {
        return Err("load takes seven fields".into());
    };
    let text = std::fs::read(file).map_err(|e| format!("{file}: {e}"))?;
    let json: Value = serde_json::from_slice(&text).map_err(|e| format!("{file}: {e}"))?;
    let test = &json[test];
    let tx = &test["transaction"];
    let spec = spec(fork)?;
    let index = |text: &str| text.parse::<usize>().map_err(|e| e.to_string());
    let to = tx["to"].as_str().unwrap_or("");
    let price = match tx.get("gasPrice") {
        Some(price) => number(price)?,
        None => number(&tx["maxFeePerGas"])?,
    };
    let mut cfg = CfgEnv::new_with_spec(spec);
    cfg.tx_chain_id_check = false;
    Ok(Program {
        db: state(&test["pre"])?,
        block: block(&test["env"], spec)?,
        cfg,
        tx: TxEnv {
            caller: address(&tx["sender"])?,
            gas_limit: gas_limit.parse().map_err(|_| "gas limit")?,
            gas_price: price.try_into().map_err(|_| "gas price")?,
            kind: if to.is_empty() { TxKind::Create } else { TxKind::Call(address(&tx["to"])?) },
            value: number(&tx["value"][index(value)?])?,
            data: bytes(&tx["data"][index(data)?])?,
            nonce: small(&tx["nonce"])?,
            chain_id: None,
            ..Default::default()
        },
    })
}

/// RLP of a string or a list whose content is given.
fn rlp(short: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 9);
    if short == 0x80 && content.len() == 1 && content[0] < 0x80 {
        out.push(content[0]);
        return out;
    }
    if content.len() < 56 {
        out.push(short + content.len() as u8);
    } else {
        let size = content.len().to_be_bytes();
        let size = &size[size.iter().position(|b| *b != 0).unwrap_or(7)..];
        out.push(short + 55 + size.len() as u8);
        out.extend_from_slice(size);
    }
    out.extend_from_slice(content);
    out
}

fn logs_hash(logs: &[Log]) -> B256 {
    let mut all = Vec::new();
    for log in logs {
        let topics: Vec<u8> = log.topics().iter().flat_map(|t| rlp(0x80, t.as_slice())).collect();
        let fields =
            [rlp(0x80, log.address.as_slice()), rlp(0xc0, &topics), rlp(0x80, &log.data.data)].concat();
        all.extend(rlp(0xc0, &fields));
    }
    keccak256(rlp(0xc0, &all))
}

/// END GAS OUTPUT LOGS
fn describe(result: &ExecutionResult) -> String {
    let (end, logs): (&str, &[Log]) = match result {
        ExecutionResult::Success { logs, .. } => ("success", logs),
        ExecutionResult::Revert { .. } => ("revert", &[]),
        ExecutionResult::Halt { .. } => ("halt", &[]),
    };
    let output = keccak256(result.output().map_or(&[][..], |o| o.as_ref()));
    format!("ok {end} {} {output} {}", result.tx_gas_used(), logs_hash(logs))
}

/// Nanoseconds of processor time.
fn cpu_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: t is a timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Answers the lines about one program until another is loaded; returns that line.
fn serve(program: Program, lines: &mut dyn Iterator<Item = io::Result<String>>) -> Result<Option<String>> {
    let Program { db, block, cfg, tx } = program;
    let mut evm = Context::mainnet().with_db(db).with_block(block).with_cfg(cfg).build_mainnet();
    let answer = match evm.transact(tx.clone()) {
        Ok(done) => describe(&done.result),
        Err(e) => format!("error {e}"),
    };
    say(&answer)?;
    for line in lines {
        let line = line.map_err(|e| e.to_string())?;
        let Some(count) = line.strip_prefix("run\t") else {
            return Ok(Some(line));
        };
        let count: u64 = count.parse().map_err(|_| "count")?;
        let start = cpu_ns();
        for _ in 0..count {
            std::hint::black_box(evm.transact(tx.clone()).map_err(|e| e.to_string())?);
        }
        say(&format!("ok {}", cpu_ns() - start))?;
    }
    Ok(None)
}

fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| e.to_string())
}

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() != Some("--serve") {
        return Err("usage: bench-revm --serve (see bench/peers/README.md)".into());
    }
    say(concat!("bench 1 revm ", env!("REVM_VERSION")))?;
    let mut lines = io::stdin().lines();
    let mut next = lines.next().transpose().map_err(|e| e.to_string())?;
    while let Some(line) = next {
        let fields: Vec<&str> = line.split('\t').collect();
        next = match load(fields.get(1..).unwrap_or(&[])) {
            Ok(program) => serve(program, &mut lines)?,
            Err(e) => {
                say(&format!("error {e}"))?;
                lines.next().transpose().map_err(|e| e.to_string())?
            }
        };
    }
    Ok(())
}

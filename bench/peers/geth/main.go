// SPDX-License-Identifier: Apache-2.0

// geth as a peer of the harness: whole transactions over geth's own state database, whose changes are reverted. The protocol
// is in bench/peers/README.md.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/consensus/misc/eip4844"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/tests"
	"github.com/holiman/uint256"
	"golang.org/x/sys/unix"
)

type number = *math.HexOrDecimal256

// stateTest is what a workload says; the keys are those of state tests.
type stateTest struct {
	Env struct {
		Coinbase      common.Address      `json:"currentCoinbase"`
		Difficulty    number              `json:"currentDifficulty"`
		Random        number              `json:"currentRandom"`
		GasLimit      math.HexOrDecimal64 `json:"currentGasLimit"`
		Number        math.HexOrDecimal64 `json:"currentNumber"`
		Timestamp     math.HexOrDecimal64 `json:"currentTimestamp"`
		BaseFee       number              `json:"currentBaseFee"`
		ExcessBlobGas math.HexOrDecimal64 `json:"currentExcessBlobGas"`
	} `json:"env"`
	Pre map[string]struct {
		Balance number              `json:"balance"`
		Code    string              `json:"code"`
		Nonce   math.HexOrDecimal64 `json:"nonce"`
		Storage map[string]number   `json:"storage"`
	} `json:"pre"`
	Transaction struct {
		Data     []string            `json:"data"`
		GasPrice number              `json:"gasPrice"`
		Nonce    math.HexOrDecimal64 `json:"nonce"`
		Sender   common.Address      `json:"sender"`
		To       string              `json:"to"`
		Value    []number            `json:"value"`
	} `json:"transaction"`
}

// program is a workload that was loaded.
type program struct {
	state   tests.StateTestState
	config  *params.ChainConfig
	block   vm.BlockContext
	message *core.Message
}

func big256(n number) *big.Int {
	if n == nil {
		return new(big.Int)
	}
	return (*big.Int)(n)
}

// alloc reads storage keys more freely than geth does: they may be short, or decimal.
func (t *stateTest) alloc() (types.GenesisAlloc, error) {
	alloc := types.GenesisAlloc{}
	for address, a := range t.Pre {
		account := types.Account{
			Balance: big256(a.Balance),
			Code:    common.FromHex(a.Code),
			Nonce:   uint64(a.Nonce),
			Storage: map[common.Hash]common.Hash{},
		}
		for key, value := range a.Storage {
			slot, ok := math.ParseBig256(key)
			if !ok {
				return nil, fmt.Errorf("no storage key: %s", key)
			}
			account.Storage[common.BigToHash(slot)] = common.BigToHash(big256(value))
		}
		alloc[common.HexToAddress(address)] = account
	}
	return alloc, nil
}

func (t *stateTest) blockContext(config *params.ChainConfig) vm.BlockContext {
	block := vm.BlockContext{
		CanTransfer: core.CanTransfer,
		Transfer:    core.Transfer,
		GetHash: func(n uint64) common.Hash {
			return crypto.Keccak256Hash([]byte(strconv.FormatUint(n, 10)))
		},
		Coinbase:    t.Env.Coinbase,
		GasLimit:    uint64(t.Env.GasLimit),
		BlockNumber: new(big.Int).SetUint64(uint64(t.Env.Number)),
		Time:        uint64(t.Env.Timestamp),
		Difficulty:  big256(t.Env.Difficulty),
		BaseFee:     big.NewInt(10),
		BlobBaseFee: big.NewInt(1),
	}
	if t.Env.BaseFee != nil {
		block.BaseFee = big256(t.Env.BaseFee)
	}
	if config.TerminalTotalDifficulty != nil && config.TerminalTotalDifficulty.Sign() == 0 {
		random := common.BigToHash(big256(t.Env.Random))
		block.Random = &random
		block.Difficulty = new(big.Int)
	}
	if config.IsCancun(block.BlockNumber, block.Time) {
		excess := uint64(t.Env.ExcessBlobGas)
		block.BlobBaseFee = eip4844.CalcBlobFee(config, &types.Header{Time: block.Time, ExcessBlobGas: &excess})
	}
	return block
}

// load reads FILE TEST FORK DATA GAS VALUE GASLIMIT.
func load(fields []string) (*program, error) {
	if len(fields) != 7 {
		return nil, fmt.Errorf("load takes seven fields")
	}
	text, err := os.ReadFile(fields[0])
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	var test stateTest
	if err := json.Unmarshal(all[fields[1]], &test); err != nil {
		return nil, err
	}
	config, _, err := tests.GetChainConfig(fields[2])
	if err != nil {
		return nil, err
	}
	data, err1 := strconv.Atoi(fields[3])
	value, err2 := strconv.Atoi(fields[5])
	gas, err3 := strconv.ParseUint(fields[6], 10, 64)
	tx := &test.Transaction
	if err1 != nil || err2 != nil || err3 != nil || data >= len(tx.Data) || value >= len(tx.Value) {
		return nil, fmt.Errorf("a field of load is wrong")
	}
	price := uint256.MustFromBig(big256(tx.GasPrice))
	message := &core.Message{
		From:      tx.Sender,
		Nonce:     uint64(tx.Nonce),
		Value:     uint256.MustFromBig(big256(tx.Value[value])),
		GasLimit:  gas,
		GasPrice:  price,
		GasFeeCap: price,
		GasTipCap: price,
		Data:      common.FromHex(tx.Data[data]),
	}
	if tx.To != "" {
		to := common.HexToAddress(tx.To)
		message.To = &to
	}
	block := test.blockContext(config)
	if config.IsLondon(block.BlockNumber) && price.ToBig().Cmp(block.BaseFee) < 0 {
		return nil, fmt.Errorf("the gas price is below the base fee")
	}
	alloc, err := test.alloc()
	if err != nil {
		return nil, err
	}
	return &program{
		state:   tests.MakePreState(rawdb.NewMemoryDatabase(), alloc, false, rawdb.HashScheme),
		config:  config,
		block:   block,
		message: message,
	}, nil
}

func apply(evm *vm.EVM, p *program) (*core.ExecutionResult, error) {
	return core.ApplyMessage(evm, p.message, core.NewGasPool(p.block.GasLimit))
}

// answer runs the program once, on a copy of its state, and tells what came of it.
func (p *program) answer() (string, error) {
	db := p.state.StateDB.Copy()
	evm := vm.NewEVM(p.block, db, p.config, vm.Config{})
	result, err := apply(evm, p)
	if err != nil {
		return "", err
	}
	end := "success"
	if result.Err == vm.ErrExecutionReverted {
		end = "revert"
	} else if result.Err != nil {
		end = "halt"
	}
	logs, err := rlp.EncodeToBytes(db.Logs())
	if err != nil {
		return "", err
	}
	db.AddBalance(p.block.Coinbase, new(uint256.Int), tracing.BalanceChangeUnspecified)
	rules := p.config.Rules(p.block.BlockNumber, p.block.Random != nil, p.block.Time)
	root, err := db.Commit(rules, p.block.BlockNumber.Uint64())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("ok %s %d %v %v %v", end, result.UsedGas, crypto.Keccak256Hash(result.ReturnData),
		crypto.Keccak256Hash(logs), root), nil
}

// cpuNs is processor time of the whole process: the collector's work counts.
func cpuNs() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return t.Nano()
}

func (p *program) run(count uint64) (int64, error) {
	db := p.state.StateDB
	evm := vm.NewEVM(p.block, db, p.config, vm.Config{})
	start := cpuNs()
	for i := uint64(0); i < count; i++ {
		snapshot := db.Snapshot()
		if _, err := apply(evm, p); err != nil {
			return 0, err
		}
		db.RevertToSnapshot(snapshot)
	}
	return cpuNs() - start, nil
}

// handle answers one line.
func handle(current **program, line string) (string, error) {
	fields := strings.Split(line, "\t")
	switch {
	case fields[0] == "load":
		p, err := load(fields[1:])
		if err != nil {
			return "", err
		}
		*current = p
		return p.answer()
	case fields[0] == "run" && len(fields) == 2 && *current != nil:
		count, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			return "", err
		}
		ns, err := (*current).run(count)
		return fmt.Sprintf("ok %d", ns), err
	}
	return "", fmt.Errorf("neither load nor run")
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/ethereum/go-ethereum" {
			return module.Version
		}
	}
	return "?"
}

func main() {
	if len(os.Args) != 2 || os.Args[1] != "--serve" {
		fmt.Fprintln(os.Stderr, "usage: bench-geth --serve (see bench/peers/README.md)")
		os.Exit(2)
	}
	fmt.Println("bench 1 geth", version())
	var current *program
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		answer, err := handle(&current, strings.TrimRight(line, "\n"))
		if err != nil {
			answer = "error " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(answer)
	}
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm precompile`: one call by name or address, its failures, and files of vectors in go-ethereum's form.
. "$(dirname "$0")/cli.inc"

export LC_ALL=C.UTF-8

# gives NAME STATUS OUT ERR ARGUMENTS: ERR is a part of what is said on standard error.
gives() {
    name=$1 wanted=$2 out=$3 err=$4
    shift 4
    got=$("$cevm" precompile "$@" 2> "$work/err" < "$work/in")
    status=$?
    findings=
    [ "$status" = "$wanted" ] || findings="exit code $status, not $wanted"
    [ "$got" = "$out" ] || findings="$findings
got: $got"
    if [ -n "$err" ] && ! grep -qF -- "$err" "$work/err"; then
        findings="$findings
said: $(cat "$work/err")"
    fi
    check "$name" "$findings"
}

abc='output  0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
gas     72' # FIPS 180-4
echo '0x616263' > "$work/in"
gives 'a contract by name' 0 "$abc" '' SHA256 0x616263
gives 'a contract by address' 0 "$abc" '' 0x02 616263
gives 'input from standard input' 0 "$abc" '' 2 -
gives 'input from a file' 0 "$abc" '' sha256 "@$work/in"
gives 'prices are those of the fork' 0 'output  0x
gas     200' '' MODEXP '' --fork Berlin
gives 'a refusal names the EIP and the rule' 1 'gas     0, and all that was sent along' \
    'BLAKE2F fails (EIP-152): the input must be 213 bytes' BLAKE2F 00
gives 'a contract that is not there yet' 1 '' 'is there from Istanbul on' BLAKE2F 00 --fork Byzantium
gives 'a misspelt name' 2 '' 'did you mean "SHA256"?' SHA25 00
gives 'input that is no hex' 1 '' 'is not hex' SHA256 xy
gives 'no arguments' 2 '' 'wants a contract and its input'
gives 'the result as JSON' 0 '{"name":"ID","address":"0x4","gas":"0x12","output":"0x0102"}' '' ID 0102 --json

cat > "$work/blake2F.json" << 'EOF'
[{"Name": "short", "Input": "00", "ExpectedError": "invalid input length"}]
EOF
cat > "$work/other.json" << 'EOF'
[{"Name": "right", "Input": "0102", "Expected": "0102", "Gas": 18},
 {"Name": "wrong", "Input": "0102", "Expected": "0103", "Gas": 18},
 {"Name": "dear", "Input": "0102", "Expected": "0102", "Gas": 19}]
EOF
gives 'vectors whose file tells the contract' 0 'BLAKE2F at Osaka: 1 passed, 0 failed' '' --vectors "$work/blake2F.json"
gives 'vectors whose file does not' 2 '' 'does not tell its contract' --vectors "$work/other.json"
gives 'vectors that are not there' 1 '' 'no/such.json: cannot be opened' --vectors no/such.json
echo '[]' > "$work/none.json"
gives 'a file without vectors proves nothing' 1 '' 'is no array of cases' --vectors "$work/none.json" ID
gives 'vectors that fail' 1 'FAIL  wrong: another output
FAIL  dear: gas is 18, not 19
ID at Osaka: 1 passed, 2 failed' '' --vectors "$work/other.json" ID
gives 'vectors as JSON' 1 '[
 {"name":"right","pass":true},
 {"name":"wrong","pass":false,"error":"another output"},
 {"name":"dear","pass":false,"error":"gas is 18, not 19"}
]' '' --vectors "$work/other.json" ID --json

# Times differ from run to run; that the slowest case is named does not.
bench=$("$cevm" precompile --vectors "$work/other.json" ID --bench 2>&1)
findings=$bench
grep -qE '^right +18 gas +[0-9]+ ns +[0-9.]+ Mgas/s$' <<< "$bench" &&
    grep -qE '^ID at Osaka, slowest: [0-9.]+ Mgas/s' <<< "$bench" && findings=
check 'vectors with times' "$findings"
gives '--bench is for people' 2 '' 'leave --json out' --vectors "$work/other.json" ID --bench --json

# The inputs of bench/worst/; what they expect is from Python's pow() and hashlib.
worst=$(for file in bench/worst/*.json; do
    case $file in */modexp*) name= ;; *) name=$(basename "$file" .json) ;; esac # modexp's files tell the fork
    "$cevm" precompile --vectors "$file" $name 2>&1 || echo "$file fails"
done)
check 'the worst inputs known give the right output' "$(grep -v ': [0-9]* passed, 0 failed$' <<< "$worst")"

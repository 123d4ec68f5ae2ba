# What is done often, by name. `just` lists it.

_:
    @just --list

# Everything that CI runs
ci:
    bash .ci/run

# All tests
test:
    cargo test

# All tests, where no stack that tests/interop asks may be missing; needs Debian and root
test-all:
    tests/interop/mail-systems.sh target/mail-systems
    MXRAY_INTEROP_ALL=1 MXRAY_MAIL_SYSTEMS={{justfile_directory()}}/target/mail-systems cargo test

# The main job on the embedded lab
demo:
    cargo run --release -- demo

# One static program, without anything of this machine in it
static:
    cargo --config .github/static.toml rustc --profile dist --locked --target x86_64-unknown-linux-gnu --bin mxray

# The files of the packages, by linters from PyPI
lint-packages:
    .ci/lint-packages

# Handshakes a second and CPU a handshake, beside the plainest client
pipeline:
    cargo bench --bench pipeline

# The engine alone: CPU and memory a domain and a key
engine:
    cargo bench --bench engine

# Memory of 10,000 sessions that wait for a banner
parked:
    cargo bench --bench pipeline -- parked

# Memory of `mxray receive` with 2,000 sessions open, in clear and inside TLS
receive:
    cargo bench --bench receive

# The parsers, a session, the hello codec and the judge, by the clock
micro:
    cargo bench --bench parse --bench session --bench hello --bench judge

# The same in instructions, by valgrind; needs valgrind and gungraun-runner
instructions:
    benches/instructions.sh

# Fails with a table where a count of instructions is above its baseline
perf-gate:
    cargo bench --bench perf_gate

# Commits to the counts as they are now (benches/baseline.toml)
perf-baseline:
    cargo bench --bench perf_gate -- --renew

# Every fuzz target for 20 seconds from its seeds; needs nightly and cargo-fuzz
fuzz-smoke:
    fuzz/smoke.sh

# One fuzz target for a while: `just fuzz tls_records 60`
fuzz target seconds="60":
    fuzz/smoke.sh {{seconds}} {{target}}

# Plants known defects one by one and shows that the verdict's properties find each
planted:
    tests/planted.sh

# Plants known defects one by one and shows that fuzzing finds each
fuzz-planted:
    fuzz/planted.sh

.PHONY: run check test timing crash bench

run:
	cargo run -- serve

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test:
	scripts/test.sh

# What the time of an answer tells, with more calls than in make test; wants the machine to itself.
timing:
	TIMING_REPORT=1 cargo nextest run -p portcullis --run-ignored only --no-capture -E 'test(/^timing::/)'

# SIGKILL during 1,000 registrations, 20 times.
crash:
	cargo build
	python3 scripts/kill_nine.py "$${CARGO_TARGET_DIR:-target}/debug/portcullis" 20

# A release build against the limits of this machine; takes two minutes on two idle cores.
bench:
	cargo bench --bench server > docs/benchmarks.md.new
	mv docs/benchmarks.md.new docs/benchmarks.md

.PHONY: run check test crash

run:
	cargo run -- serve

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test:
	scripts/test.sh

# SIGKILL during 1,000 registrations, 20 times.
crash:
	cargo build
	python3 scripts/kill_nine.py "$${CARGO_TARGET_DIR:-target}/debug/portcullis" 20

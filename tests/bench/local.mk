# One line a figure, sorted; built when tools/bench asks for it.
EXTRA_PROGRAMS += tests/bench/bench_keeper
EXTRA_PROGRAMS += tests/bench/bench_link
EXTRA_PROGRAMS += tests/bench/bench_nitro
EXTRA_PROGRAMS += tests/bench/bench_snp
EXTRA_PROGRAMS += tests/bench/bench_replay

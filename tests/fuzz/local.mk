# One line a target, sorted. A target is a LLVMFuzzerTestOneInput; with --enable-fuzz it links
# libFuzzer, otherwise tests/fuzz/replay.c, which runs the corpus in tests/fuzz/corpus/NAME as a test.

// Symbols that newer C libraries have and older ones lack, so that one build of the fast door runs with all of them.

// `std::shared_ptr` reads this variable of the C library, and counts without atomics while the process has only one thread.
// glibc before 2.32 and musl do not have it. Zero means that there may be more threads, which is always safe.
extern "C" {
extern __attribute__((visibility("hidden"))) const char __libc_single_threaded;
const char __libc_single_threaded = 0;
}

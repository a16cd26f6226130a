// What newer C libraries have and older ones lack, so that one build of the door runs on all of them.

// `std::shared_ptr` asks the C library whether the process has one thread only, and then counts without atomics. Before
// glibc 2.32, and in musl, there is no such word; a constant zero says "may have more", which is always safe.
extern "C" {
extern __attribute__((visibility("hidden"))) const char __libc_single_threaded;
const char __libc_single_threaded = 0;
}

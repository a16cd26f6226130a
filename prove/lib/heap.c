/* Preloaded, this makes os.getPriority() return the KiB that are allocated from the C library, after giving free pages back to the
 * system. The memory of a process says too little about leaks: glibc keeps tens of MiB of freed buffers, which would hide a leak. */
#include <malloc.h>

int getpriority(int which, unsigned who) {
  (void)which;
  (void)who;
  malloc_trim(0);
  struct mallinfo2 found = mallinfo2();
  return (int)((found.uordblks + found.hblkhd) >> 10);
}

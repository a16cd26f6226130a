/* Preloaded: os.getPriority() gives the C library's free pages back to the system, and says how many KiB its allocator has lent out.
 * What a process has beside mapped files is otherwise mostly what was free and kept: of buffers that JavaScript made and let go, glibc
 * keeps tens of MiB, and a leak of ours would drown in them. */
#include <malloc.h>

int getpriority(int which, unsigned who) {
  (void)which;
  (void)who;
  malloc_trim(0);
  struct mallinfo2 found = mallinfo2();
  return (int)((found.uordblks + found.hblkhd) >> 10);
}

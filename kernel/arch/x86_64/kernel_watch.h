/*
 * KERNEL_WATCH is defined in kernels that watch themselves: debug builds. Host tests have CPUs that are threads of a
 * process, and look at what they test by themselves.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_KERNEL_WATCH_H
#define CAPOS_KERNEL_ARCH_X86_64_KERNEL_WATCH_H

#if defined(CAPOS_DEBUG) && !defined(CAPOS_HOST)
#define KERNEL_WATCH
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchd sleeps nearly always, so what counts is what it holds while it sleeps. A pass fills arenas
 * and drops them: their blocks come from mmap(2) and go back at once, instead of leaving holes in
 * a heap that only grows. Loading and binding two dozen libraries reads pages that are never looked
 * at again: unwritable pages of files are unmapped, and come back from the page cache, one minor
 * fault for 64 KiB, when they are needed after all.
 */
#include "daemon/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void memory_tune(void)
{
	mallopt(M_MMAP_THRESHOLD, 16 * 1024);	/* mallopt(3) */
	mallopt(M_TRIM_THRESHOLD, 64 * 1024);
}

/* dl_iterate_phdr(3); madvise(2): nothing is lost of a mapping that was never written. */
static int unmap_unwritable(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)data;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
		uintptr_t end = (info->dlpi_addr + p->p_vaddr + p->p_memsz + page - 1) & ~(page - 1);

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
			madvise((void *)start, end - start, MADV_DONTNEED);
	}
	return 0;
}

void memory_give_back(void)
{
	malloc_trim(0);
	dl_iterate_phdr(unmap_unwritable, NULL);
}

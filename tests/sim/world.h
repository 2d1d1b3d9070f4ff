/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is declared: a few files, each with one workload and its Service, whose text is made from
 * some letters that have values. An edit sets one letter of one file.
 */
#pragma once

#include "machine.h"

#define WORLD_LETTERS 58	/* A to z */

struct world_file {
	uint8_t v[WORLD_LETTERS];	/* index into the words of a letter */
	bool there;
	struct manifest *manifest;	/* of the present text; NULL: not yet made */
};
struct world {
	struct world_file files[32];
	bool pending;			/* an edit is not yet applied: the disk was full */
	bool careful;			/* the prune guard is on */
};

uint32_t world_nfiles(void);
const char *world_name(uint32_t file);
uint32_t world_find(const char *name);
const char *world_text(uint32_t file);
uint32_t world_nletters(uint32_t file);		/* letters that its text has */
char world_letter(uint32_t file, uint32_t i);
uint32_t world_nwords(char letter);
const char *world_word(char letter, uint32_t i);
const char *world_letter_name(char letter);

void world_set(struct world *w, uint32_t file, char letter, uint32_t word);
void world_declare(struct world *w, uint32_t file, bool there);
/* The files as they are now become what is applied, unless the disk is full: then later. */
void world_apply(struct world *w, struct sim *s);
void world_release(struct world *w);

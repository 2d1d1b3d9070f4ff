/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layers as one tree, for images whose layers do not stack: overlayfs decides name by name, but
 * where a layer has bin/x without listing bin, and bin is a link to usr/bin below, x belongs into
 * usr/bin. Files are hard links of those of the layers, so that only directories take space.
 */
#pragma once

#include <stdbool.h>

/* Was this directory only implied by the layer's entries (unpack.h)? "": the root. */
struct flatten_implied {
	bool (*ask)(const void *layer, const char *path);
	const void *layer;
};

/* Adds what one layer says to what those below it have made: both are open directories. */
int flatten_layer(int root, int tree, struct flatten_implied implied);

/* The owner, mode and attributes of a directory. */
int flatten_copy_directory(int from, int to);

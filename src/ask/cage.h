/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left to a program that asks a container: its standard descriptors, connections, memory.
 * User, capabilities and network namespace are given by whoever starts it.
 */
#pragma once

#include "base/err.h"

/* For good. Afterwards no file can be opened. */
int cage_enter(struct err *err);

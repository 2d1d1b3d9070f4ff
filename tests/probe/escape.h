/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways out of a container that orch-probe tries; see escape.c. */
#pragma once

int escape(int argc, char **argv);
int escape_exe(int argc, char **argv);

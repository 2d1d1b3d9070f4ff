# a container that restarts for its resources goes on with the old ones
# src/control/container.c
s/else if \(c->outdated\)/else if (c->outdated \&\& m->over)/

#ifndef SHELL_H
#define SHELL_H

void blk_command(int argc, const char **argv);

#endif

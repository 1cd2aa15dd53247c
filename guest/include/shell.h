#ifndef SHELL_H
#define SHELL_H

void blk_command(int argc, const char **argv);
void net_shell(int argc, const char **argv);
void ping_shell(int argc, const char **argv);

#endif

#ifndef LAYOUT_H
#define LAYOUT_H

/* Every address of the board comes from here; the headers are generated from the machine's description. */
#if defined(__i386__)
#include "layout-pc.h"
#elif defined(__PPC__)
#include "layout-ppce500.h"
#else
#error "no machine for this processor"
#endif

#endif

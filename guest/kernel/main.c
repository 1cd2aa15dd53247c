#include "arch.h"
#include "kernel.h"
#include "layout.h"
#include "pci.h"
#include "virtio.h"

/* The architecture's entry has filled `boot` and can take traps; everything else starts here, in order. */
void kernel_main(void)
{
	memory_init();
	arch_init();
	console_interrupts();
	kprintf("\nbarzero kernel on %s\n", MACHINE_NAME);
	pci_init();
	virtio_init();

	if (option_present("selftest"))
		leave(selftest());
	if (option_present("matrix"))
		leave(matrix());
	if (option_present("hostile"))
		leave(hostile());
	if (option_present("compare"))
		leave(compare());
	tour();
	shell();
}

void leave(int status)
{
	console_flush();
	arch_exit((u32)status);
	arch_poweroff();
}

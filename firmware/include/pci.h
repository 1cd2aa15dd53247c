// Configuration header of a PCI function. PCI 3.0 section 6.1.
#pragma once

#define PCI_VENDOR 0x00
#define PCI_DEVICE 0x02
#define PCI_COMMAND 0x04
#define PCI_STATUS 0x06
#define PCI_HEADER_TYPE 0x0e
#define PCI_BAR0 0x10
#define PCI_CAPABILITIES 0x34
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_INTERRUPT_PIN 0x3d

#define PCI_COMMAND_IO 0x1
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4
#define PCI_STATUS_CAPABILITIES 0x10
#define PCI_MULTI_FUNCTION 0x80

#define PCI_BAR_IO 0x1
#define PCI_BAR_TYPE 0x6
#define PCI_BAR_TYPE_64 0x4

#define PCI_CAPABILITY_VENDOR 0x09

/* status.h - how a call of the core ended. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

enum core_status {
    CORE_OK,
    CORE_NO_MEMORY,
    CORE_STOPPED, /* a stop was requested */
    CORE_DIVERGED /* the loss or a weight is no longer finite */
};

#endif

/*
 * Steps of programs that call, receive, answer, pass on and give up capabilities, and die: each chosen at random, made
 * by the kernel and by the plain model (tests/host/endpoint_model.h), which must agree afterwards.
 */
#ifndef CAPOS_TESTS_HOST_ENDPOINT_STEPS_H
#define CAPOS_TESTS_HOST_ENDPOINT_STEPS_H

#include "tests/host/host_support.h"

/* A machine and programs without capabilities. `random` makes every choice. */
void endpoint_steps_begin(struct host_random *random);

/* One step of one of them, not compared yet. */
void endpoint_steps_take(void);

/* Answers, capabilities, ledgers and queues are what the model says. After each step. */
void endpoint_steps_check(void);

/* All programs die, one after another, and everything has come back. */
void endpoint_steps_end(void);

#endif

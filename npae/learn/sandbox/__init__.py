"""Sandbox: run a learner's code in a separate process that exchanges only arrays with this one."""

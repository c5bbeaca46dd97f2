// A clock for a hidden page: browsers slow down its timers, not a worker's.
setInterval(() => postMessage(0), 1000);

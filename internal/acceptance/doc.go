// Package acceptance verifies Fanfare's guarantees against real servers and real worker processes:
// every recipient receives what was committed, and no other principal does, in order, in the inbox
// and on the WebSocket, also when workers are killed and when everything that decides about
// recipients changes.
//
// A run has these parts:
//
//   - a world (packages fixture and churn, loaded by package seed)
//   - WebSocket clients, some of whose connections are cut (package clients)
//   - a Recorder of what the writers committed and rolled back
//   - an expectation of each activity (package oracle, which shares no code with production)
//   - a judge: Judge compares the expectations with the evidence and returns a Result
//   - fault injectors: processes that are killed by SIGKILL
//   - a fleet of daemons of several versions (package next builds those that do not exist yet)
//
// Kills, Churn, Cluster, Move and Upgrade are complete runs. The demo judges its scenes with Judge
// too.
package acceptance

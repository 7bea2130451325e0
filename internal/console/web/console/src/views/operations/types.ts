import type { components } from '@fanfare/client'

type Schemas = components['schemas']

export type OutboxStatus = Schemas['OutboxStatus']
export type History = Schemas['History']
export type HistoryPoint = Schemas['HistoryPoint']
export type Worker = Schemas['InstallationWorker']
export type Lane = Schemas['Lane'] & Partial<Pick<Schemas['InstallationLane'], 'holder'>>
export type DeadLetter = Schemas['DeadLetter']
export type DeadGroup = Schemas['DeadLetterGroup']
export type DeadGroups = Schemas['DeadLetterGroups']
export type DeadFilter = Schemas['DeadFilterBody']
export type Changed = Schemas['ChangedDeadLetters']
export type Parked = Schemas['ParkedActivity']
export type Job = Schemas['FanOutJob']

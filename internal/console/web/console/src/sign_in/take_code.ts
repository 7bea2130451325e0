import { takeCode } from './code.ts'

takeCode()

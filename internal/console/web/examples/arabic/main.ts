import { arabic } from '../shared/arabic.ts'
import { show } from '../shared/page.ts'

await show(arabic)

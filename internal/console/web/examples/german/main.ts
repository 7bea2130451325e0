import { german } from '../shared/german.ts'
import { show } from '../shared/page.ts'

await show(german)

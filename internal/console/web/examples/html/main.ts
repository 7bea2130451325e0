import { show } from '../shared/page.ts'

await show()

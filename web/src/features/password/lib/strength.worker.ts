import { judgeStrength } from './judge-strength'
import type { Answer, Question } from './strength'

// The word lists take a while to read: in a worker that is nobody's stuttering keyboard.
self.addEventListener('message', ({ data }: MessageEvent<Question>) => {
  const answer: Answer = { id: data.id, strength: judgeStrength(data.password, data.personal) }
  self.postMessage(answer)
})

import { useState } from 'react'
import type { FieldPath, FieldValues, UseFormReturn } from 'react-hook-form'
import { type Problem, toProblem, type Words } from './problem'

interface Submit {
  onSubmit: (event?: React.BaseSyntheticEvent) => Promise<void>
  problem: Problem | undefined
  setProblem: (problem: Problem | undefined) => void
}

/** Runs `action` with the form's values and brings a refusal to the fields it is about. */
export function useSubmit<T extends FieldValues>(
  form: UseFormReturn<T>,
  action: (values: T) => Promise<unknown>,
  words?: Words,
): Submit {
  const [problem, setProblem] = useState<Problem>()
  const onSubmit = form.handleSubmit(async (values) => {
    setProblem(undefined)
    try {
      await action(values)
    } catch (error) {
      const found = toProblem(error, Object.keys(form.getValues()), words)
      showOnFields(form, found)
      setProblem(found)
    }
  })
  return { onSubmit, problem, setProblem }
}

function showOnFields<T extends FieldValues>(form: UseFormReturn<T>, problem: Problem): void {
  const isAlone = problem.messages.length === 0
  Object.entries(problem.fields).forEach(([name, message], index) => {
    form.setError(name as FieldPath<T>, { type: 'server', message }, { shouldFocus: isAlone && index === 0 })
  })
}

/** The mark: a gate with its portcullis, in the colour of the text around it. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <g stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round">
        <path d="M5 28V14a11 11 0 0 1 22 0v14" />
        <path d="M10.5 7.5v15.5M16 5v19.500M21.5 7.5v15.5M6 13.500h20M6 19h20" />
      </g>
    </svg>
  )
}

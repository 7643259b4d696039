import { type KeyboardEvent, type PointerEvent, useEffect, useId, useLayoutEffect, useRef } from 'react'
import { texts } from '@/lib/texts'
import { type Crop, MAX_ZOOM, moved, sideOf, zoomed } from '../lib/crop'
import { draw } from '../lib/draw'
import styles from './cropper.module.css'

/** Of the canvas, in pixels; style sheets make it smaller. */
const PIXELS = 576
/** By how much of the square's side an arrow key moves it. */
const STEP = 0.04

interface Props {
  image: ImageBitmap
  crop: Crop
  onChange: (crop: Crop) => void
}

/** A square of a picture: dragged, turned with the wheel, or moved with the keyboard. */
export function Cropper({ image, crop, onChange }: Props) {
  const ref = useRef<HTMLCanvasElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    if (ref.current) draw(ref.current, image, crop)
  }, [image, crop])
  useWheel(ref, (down) => onChange(zoomed(crop, image, crop.zoom * (down ? 0.93 : 1.07))))
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    const scale = sideOf(crop, image) / event.currentTarget.clientWidth
    onChange(moved(crop, image, -event.movementX * scale, -event.movementY * scale))
  }
  return (
    <div className={styles.cropper}>
      <div
        className={styles.stage}
        role="application"
        aria-label={texts.avatar.stage}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys are its own
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={(event) => {
          const next = byKey(event, crop, image)
          if (!next) return
          event.preventDefault()
          onChange(next)
        }}
      >
        <canvas ref={ref} width={PIXELS} height={PIXELS} aria-hidden />
      </div>
      <div className={styles.zoom}>
        <label htmlFor={id}>{texts.avatar.zoom}</label>
        <input
          id={id}
          type="range"
          min={1}
          max={MAX_ZOOM}
          step={0.05}
          value={crop.zoom}
          aria-valuetext={`${Math.round(crop.zoom * 100)} %`}
          onChange={(event) => onChange(zoomed(crop, image, event.currentTarget.valueAsNumber))}
        />
      </div>
    </div>
  )
}

/** The picture moves as if it were dragged: the arrow to the right shows what is on its left. */
function byKey({ key }: KeyboardEvent, crop: Crop, image: ImageBitmap): Crop | undefined {
  const step = sideOf(crop, image) * STEP
  const moves: Record<string, [number, number]> = {
    ArrowRight: [-step, 0],
    ArrowLeft: [step, 0],
    ArrowDown: [0, -step],
    ArrowUp: [0, step],
  }
  const move = moves[key]
  if (move) return moved(crop, image, ...move)
  if (key === '+' || key === '=') return zoomed(crop, image, crop.zoom + 0.1)
  if (key === '-') return zoomed(crop, image, crop.zoom - 0.1)
  return undefined
}

/** React listens to the wheel without a way to keep the page from scrolling. */
function useWheel(ref: React.RefObject<HTMLCanvasElement | null>, onTurn: (down: boolean) => void) {
  const latest = useRef(onTurn)
  useEffect(() => {
    latest.current = onTurn
  })
  useEffect(() => {
    const canvas = ref.current
    const turn = (event: WheelEvent) => {
      event.preventDefault()
      latest.current(event.deltaY > 0)
    }
    canvas?.addEventListener('wheel', turn, { passive: false })
    return () => canvas?.removeEventListener('wheel', turn)
  }, [ref])
}
